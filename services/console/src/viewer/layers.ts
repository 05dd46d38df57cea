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

export function layersFor(image: ImageValue, candidates: readonly Candidate[]): Layer[] {
  return candidates.flatMap(({ label, value }) => {
    const overlay = asOverlay(value);
    if (!overlay) return [];
    const own = overlay.image_id ? overlay.image_id === image.blob : sameSize(overlay, image);
    return own ? [{ label, overlay }] : [];
  });
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
