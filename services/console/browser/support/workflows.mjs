// Workflows that need no model, for tests of what is seen.

/** A list, and for each item a pause. */
export function loop({ parallel, delayMs }) {
  return {
    name: 'watch-a-loop',
    nodes: [
      { id: 'list', type: 'parameter_input', config: { kind: 'list<integer>' } },
      { id: 'each', type: 'for_each', inputs: { items: '$inputs.list' }, config: { max_parallel: parallel } },
      { id: 'wait', type: 'delay', inputs: { value: '$item' }, config: { ms: delayMs } },
      { id: 'all', type: 'collect', inputs: { item: '$nodes.wait.value' } },
      { id: 'answer', type: 'json_output', inputs: { all: '$nodes.all.items' } },
    ],
  };
}

/** `count` nodes in ten rows, each waiting for the one before. */
export function chain(count) {
  const nodes = [{ id: 'start', type: 'parameter_input', config: { kind: 'integer', default: 1 } }];
  for (let at = 1; at < count; at += 1) {
    const before = at <= 10 ? '$inputs.start' : `$nodes.step_${at - 10}.value`;
    nodes.push({ id: `step_${at}`, type: 'delay', inputs: { value: before }, config: { ms: 1 } });
  }
  return { name: `chain-${count}`, nodes };
}
