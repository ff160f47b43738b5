/** MapLibre and PMTiles, loaded only when a map is on the page. */
import { Map as Engine, Marker, addProtocol, setWorkerCount, setWorkerUrl, type GeoJSONSource } from "maplibre-gl";
import workerUrl from "maplibre-gl/dist/maplibre-gl-worker.mjs?url";
import { PMTiles, Protocol } from "pmtiles";

setWorkerUrl(workerUrl);
setWorkerCount(1);

const protocol = new Protocol();
addProtocol("pmtiles", protocol.tile);

/** The base map by ranges: its header is asked once; null when the file cannot be read so (field case G41). */
let archive: Promise<string | null> | undefined;
export function findTiles(address: string): Promise<string | null> {
  archive ??= (async () => {
    const file = new PMTiles(new URL(address, location.origin).href);
    try {
      await file.getHeader();
    } catch {
      archive = undefined;
      return null;
    }
    protocol.add(file);
    return `pmtiles://${file.source.getKey()}`;
  })();
  return archive;
}

export { Engine, Marker, type GeoJSONSource };
