import type { Model, ModelName } from '~/api/types';

/** The models that a block can use: those of its task, and those whose task nobody knows. */
export function modelsFor(block: string, models: readonly Model[]): Model[] {
  const known = models.filter(model => model.task === block);
  if (known.length > 0) return known;
  const unknown = models.filter(model => model.task === undefined);
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

/** The id of a model as a worker names it. */
export function modelName(model: ModelName): string {
  return typeof model === 'string' ? model : (model.model_id ?? model.id ?? 'unnamed');
}

/** The classes a model tells apart, where it says. */
export function classesOf(model: Model | undefined): string[] {
  const labels = model?.labels ?? model?.classes;
  if (Array.isArray(labels)) return labels.filter(label => typeof label === 'string');
  return labels && typeof labels === 'object'
    ? Object.values(labels).filter(label => typeof label === 'string')
    : [];
}
