/** What to do about a failure, by its kind. */
const ADVICE: Record<string, string> = {
  INVALID_INPUT: 'Look at what the node was given. Another picture or value will do; trying again will not.',
  INVALID_CONFIG: 'Correct the setting in the workflow: with the values of this run it is out of range.',
  MODEL_NOT_FOUND: 'Put the model into the model repository, or choose one from the list in the editor.',
  MODEL_LOAD_ERROR:
    'The model is there and cannot be loaded. Its folder may be incomplete; the worker’s log has the cause.',
  OUT_OF_MEMORY:
    'Use a smaller picture, batch or model, or a worker with more memory. Trying again may help.',
  WORKER_UNAVAILABLE: 'The worker went away. Run it again; if it keeps happening, look at the workers.',
  TIMEOUT: 'Give the node a longer timeout_ms, or look at the queues if it waited for its turn.',
  NETWORK: 'The other side could not be reached, or had a fault of its own. Run it again later.',
  UNSUPPORTED: 'This worker cannot do what was asked: the model’s family may not be known.',
  CANCELLED: 'Somebody cancelled the run.',
  INTERNAL: 'This is a fault of Millrace. The log under the trace id has the details.',
};

export function adviceFor(kind: string): string | null {
  return ADVICE[kind] ?? null;
}
