/** The device's camera: asked for, what it can do, and what its refusals mean. */

export type CameraFault = "refused" | "none" | "busy" | "insecure" | "unsupported" | "failed";

export class CameraError extends Error {
  constructor(readonly reference: CameraFault) {
    super(reference);
  }
}

/** What the browser's error means for the person. Source: Media Capture and Streams, 10.2 (getUserMedia). */
export function faultOf(error: unknown): CameraFault {
  const name = error instanceof DOMException || error instanceof Error ? error.name : "";
  if (name === "NotAllowedError" || name === "SecurityError") return "refused";
  if (name === "NotFoundError" || name === "OverconstrainedError") return "none";
  if (name === "NotReadableError" || name === "AbortError") return "busy";
  return "failed";
}

/** The rear camera at about 1080p, or the one named. Throws `CameraError`. */
export async function openCamera(deviceId = ""): Promise<MediaStream> {
  const media = navigator.mediaDevices as MediaDevices | undefined;
  if (!media?.getUserMedia) throw new CameraError(globalThis.isSecureContext ? "unsupported" : "insecure");
  const which: MediaTrackConstraints = deviceId ? { deviceId: { exact: deviceId } } : { facingMode: { ideal: "environment" } };
  const video: MediaTrackConstraints = { ...which, width: { ideal: 1920 }, height: { ideal: 1080 }, frameRate: { ideal: 30 } };
  try {
    return await media.getUserMedia({ video, audio: false });
  } catch (error) {
    throw new CameraError(faultOf(error));
  }
}

export async function cameras(): Promise<string[]> {
  try {
    return (await navigator.mediaDevices.enumerateDevices()).filter((one) => one.kind === "videoinput" && one.deviceId).map((one) => one.deviceId);
  } catch {
    return [];
  }
}

export interface Abilities {
  torch: boolean;
  zoom: { min: number; max: number; step: number } | null;
}

/** Light and zoom, where this track has them. */
export function abilitiesOf(track: MediaStreamTrack): Abilities {
  const can = (track.getCapabilities?.() ?? {}) as { torch?: boolean; zoom?: { min: number; max: number; step?: number } };
  const zoom = can.zoom && can.zoom.max > can.zoom.min ? { min: can.zoom.min, max: can.zoom.max, step: can.zoom.step || 0.1 } : null;
  return { torch: can.torch === true, zoom };
}

/** Gives whether the camera did it. */
export async function setTrack(track: MediaStreamTrack, what: { torch?: boolean; zoom?: number }): Promise<boolean> {
  try {
    await track.applyConstraints({ advanced: [what as MediaTrackConstraintSet] });
    return true;
  } catch {
    return false;
  }
}
