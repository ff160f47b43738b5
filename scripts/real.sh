#!/usr/bin/env bash
# Install the real programs that the tests start on loopback: PostgreSQL, Chromium, speech, a GPS daemon, an
# RTSP server (59 MB), fonts.
# NATS and the S3 server come as wheels with the test packages. Debian 12, as root; may be run twice.
set -euo pipefail
packages=(postgresql chromium espeak-ng gpsd gpsd-clients fonts-noto-cjk gir1.2-gst-rtsp-server-1.0 python3-gi)
missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q 'install ok installed' || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Real programs: all there (${packages[*]})."
  exit 0
fi
if ! command -v apt-get >/dev/null; then
  echo "This machine has no apt-get. Install by its own means: ${missing[*]}" >&2
  exit 1
fi
sudo=()
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null || { echo "Run as root: apt-get install ${missing[*]}" >&2; exit 1; }
  sudo=(sudo)
fi
echo "Installing ${missing[*]} …"
export DEBIAN_FRONTEND=noninteractive
# Servers must not start by themselves: the tests start their own, in their own folders.
"${sudo[@]}" apt-get update -qq
"${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
echo "Real programs: installed."
