import type { Model } from '~/api/types';

/** The models that a block can use: those of its task, and those whose task nobody knows. */
export function modelsFor(block: string, models: readonly Model[]): Model[] {
  const known = models.filter(model => model.task === block);
  if (known.length > 0) return known;
  const unknown = models.filter(model => model.task == null);
  // Without a task a name is the only hint there is.
  const hinted = unknown.filter(model => model.model_id.includes(HINTS[block] ?? block));
  return hinted.length > 0 ? hinted : unknown;
}

const HINTS: Record<string, string> = {
  detection: 'detect',
  classification: 'classif',
  segmentation: 'seg',
  embedding: 'embed',
};
