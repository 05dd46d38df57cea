import { Button, Code, CopyButton, Modal, SegmentedControl, Stack, Text } from '@mantine/core';
import { IconCheck, IconCopy } from '@tabler/icons-react';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { WorkflowRecord } from '~/api/types';
import { useWho } from '~/login/who';
import { inputsQuery } from '../inputsOf';
import { curlOf, pythonOf } from './snippets';

/** What others write to run this workflow. */
export default function CallModal({ record, onClose }: { record: WorkflowRecord; onClose(): void }) {
  const [language, setLanguage] = useState<'curl' | 'python'>('curl');
  const inputs = useQuery(inputsQuery(record)).data;
  const guarded = useWho()?.guarded ?? false;
  const call = { server: window.location.origin, record, inputs, guarded };
  const text = language === 'curl' ? curlOf(call) : pythonOf(call);
  return (
    <Modal opened onClose={onClose} title="Call it from code" size="xl">
      <Stack>
        <SegmentedControl
          w="fit-content"
          aria-label="Language"
          value={language}
          onChange={value => setLanguage(value as typeof language)}
          data={[
            { value: 'curl', label: 'curl' },
            { value: 'python', label: 'Python' },
          ]}
        />
        <Code block tabIndex={0} aria-label="What to write">
          {text}
        </Code>
        <CopyButton value={text} timeout={1_500}>
          {({ copied, copy }) => (
            <Button
              w="fit-content"
              size="xs"
              variant="default"
              leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
              onClick={copy}
            >
              {copied ? 'Copied' : 'Copy'}
            </Button>
          )}
        </CopyButton>
        <Text size="xs" c="dimmed">
          It runs the newest version that is saved; with{' '}
          <span className="mono">{`&version=${record.version}`}</span> in the address, it keeps to this one.
          The values are examples: put in your own.
        </Text>
      </Stack>
    </Modal>
  );
}
