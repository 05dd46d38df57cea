import { Stack, Text } from '@mantine/core';
import type { NodeDefinition } from '~/api/types';
import { isPictureInput, type InputValue } from '~/run/inputs';
import { ParameterField } from '~/run/ParameterField';
import { PictureField } from '~/run/PictureField';
import type { InputNode } from './useInputNodes';

interface Props {
  inputs: readonly InputNode[];
  valueOf(node: NodeDefinition): InputValue;
  /** Changes the input of `node` from what it is by then. */
  onChange(node: NodeDefinition, change: (now: InputValue) => InputValue): void;
}

/** What every run of a schedule is given. */
export function ScheduleInputs({ inputs, valueOf, onChange }: Props) {
  if (inputs.length === 0) {
    return (
      <Text size="sm" c="dimmed">
        The workflow takes no input.
      </Text>
    );
  }
  return (
    <Stack>
      {inputs.map(({ node, isList }) => {
        const value = valueOf(node);
        return isPictureInput(node) && value.kind === 'pictures' ? (
          <PictureField
            key={node.id}
            node={node}
            isList={isList}
            first={node === inputs.find(one => isPictureInput(one.node))?.node}
            value={value}
            onChange={change => onChange(node, change)}
          />
        ) : (
          <ParameterField
            key={node.id}
            node={node}
            value={value}
            onChange={next => onChange(node, () => next)}
          />
        );
      })}
    </Stack>
  );
}
