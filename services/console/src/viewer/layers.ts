/** What can be laid over a picture: boxes and masks that were made on it. */
import { sameJson } from '~/lib/json';
import { asOverlay, type Detection, type ImageValue, type Overlay } from '~/lib/values';

export interface Layer {
  label: string;
  overlay: Overlay;
}

export interface Candidate {
  label: string;
  value: unknown;
}

/** The layers of a picture: the one that was asked for, what a model gave, what was made of it. */
export function layersFor(image: ImageValue, candidates: readonly Candidate[], asked?: Candidate): Layer[] {
  const others = candidates.filter(({ value }) => !asked || !sameJson(value, asked.value));
  const found = (asked ? [asked, ...others] : others).flatMap(({ label, value }) => {
    const overlay = asOverlay(value);
    if (!overlay) return [];
    const own = overlay.image_id ? overlay.image_id === image.blob : sameSize(overlay, image);
    return own ? [{ label, overlay }] : [];
  });
  const isModels = (layer: Layer) => /\.(detections|masks)$/.test(layer.label);
  const rank = (layer: Layer) => (layer.label === asked?.label ? 0 : isModels(layer) ? 1 : 2);
  return found.sort((one, other) => rank(one) - rank(other));
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
