import { SimpleGrid, Text, Title } from '@mantine/core';
import { IconArrowRight } from '@tabler/icons-react';
import { useNavigate } from 'react-router';
import { blockName } from '~/graph/selectors';
import { words } from '~/lib/format';
import { EXAMPLES } from './examples';
import classes from './Examples.module.css';
import { MiniGraph } from './MiniGraph';
import { startWith } from './start';

/** Workflows to start from: a picture of each, and what it is made of. */
export function Examples() {
  const navigate = useNavigate();
  return (
    <section aria-label="Examples">
      <Title order={2} size="sm" mb="sm">
        Start from an example
      </Title>
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 3 }} spacing="md">
        {EXAMPLES.map(({ file, definition }) => (
          <button
            key={file}
            type="button"
            className={classes.card}
            onClick={() => void navigate(startWith(definition))}
          >
            <MiniGraph definition={definition} />
            <span className={classes.text}>
              <span className={classes.name}>
                {definition.name ?? file}
                <IconArrowRight size={15} aria-hidden />
              </span>
              <Text component="span" size="xs" c="dimmed" lineClamp={1}>
                {[...new Set(definition.nodes.map(node => words(blockName(node.type))))].join(' · ')}
              </Text>
            </span>
          </button>
        ))}
      </SimpleGrid>
    </section>
  );
}
