/** What can be laid over a picture: boxes and masks that were made on it. */
import { asOverlay, type Detection, type ImageValue, type Overlay } from '~/lib/values';

export interface Layer {
  label: string;
  overlay: Overlay;
}

export interface Candidate {
  label: string;
  value: unknown;
}

/** The layers of a picture; what a model gave goes before what was made of it. */
export function layersFor(image: ImageValue, candidates: readonly Candidate[]): Layer[] {
  const found = candidates.flatMap(({ label, value }) => {
    const overlay = asOverlay(value);
    if (!overlay) return [];
    const own = overlay.image_id ? overlay.image_id === image.blob : sameSize(overlay, image);
    return own ? [{ label, overlay }] : [];
  });
  const isModels = (layer: Layer) => /\.(detections|masks)$/.test(layer.label);
  return [...found.filter(isModels), ...found.filter(layer => !isModels(layer))];
}

function sameSize(overlay: Overlay, image: ImageValue): boolean {
  return overlay.width === image.width && overlay.height === image.height;
}

export interface Visibility {
  /** Names of classes that are switched off. */
  hidden: ReadonlySet<string>;
  /** The least confidence that is shown, 0 to 1. */
  least: number;
}

export function visibleItems(items: readonly Detection[], { hidden, least }: Visibility): Detection[] {
  return items.filter(item => !hidden.has(item.class_name) && (item.confidence ?? 1) >= least);
}
