import { Text } from '@mantine/core';
import type { JsonObject } from '~/api/types';
import { PortValue } from '../outputs/PortValue';

interface Props {
  values: JsonObject;
  /** Of the item they belong to. */
  path: string | undefined;
}

/** The values on a node's ports, each under its port's name. */
export function Ports({ values, path }: Props) {
  return Object.entries(values).map(([name, value]) => (
    <section key={name} aria-label={name}>
      <Text size="xs" fw={600} mb={4}>
        {name}
      </Text>
      <PortValue name={name} value={value} path={path} />
    </section>
  ));
}
