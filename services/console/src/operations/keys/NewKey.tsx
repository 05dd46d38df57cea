import { Modal, Radio, Stack, TextInput } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { request } from '~/api/request';
import type { KeyMade, Scope } from '~/api/types';
import { logIn } from '~/login/session';
import { SubmitForm } from '~/ui/SubmitForm';
import { ShownKey } from './ShownKey';

const SCOPES: { scope: Scope; means: string }[] = [
  { scope: 'read', means: 'looks at everything but keys, changes and dead letters' },
  { scope: 'run', means: 'reads, runs, and saves workflows' },
  { scope: 'admin', means: 'does everything: keys, workers, models' },
];

interface Props {
  /** Whether it is the first: then it has to be an administrator's, or nobody could make another. */
  first: boolean;
  onClose(): void;
}

/** Makes a key and shows it, this once. */
export function NewKey({ first: isFirst, onClose }: Props) {
  // It stays the first while it is shown, though the server has a key by then.
  const [first] = useState(isFirst);
  const queries = useQueryClient();
  const [name, setName] = useState('');
  const [scope, setScope] = useState<Scope>(first ? 'admin' : 'run');
  const refresh = () =>
    Promise.all(['keys', 'session'].map(key => queries.invalidateQueries({ queryKey: [key] })));
  const login = useMutation({ mutationFn: logIn, onSuccess: refresh });
  // From the moment a key is asked for: it is shown here and nowhere else. A press may come before the page has drawn that.
  const held = useRef(false);
  const make = useMutation<KeyMade, Error, AbortSignal>({
    mutationFn: () => {
      held.current = true;
      return request<KeyMade>('/keys', { method: 'POST', body: { name, scopes: [scope] } });
    },
    onError: () => {
      held.current = false;
    },
    onSuccess: made => {
      // From the first key on the server asks for one: this browser goes on with it. The key is shown without waiting for either.
      if (first) login.mutate(made.key);
      else void refresh();
    },
  });
  const giveUp = (): void => {
    if (!held.current) onClose();
  };
  const close = (): void => {
    onClose();
    void refresh();
  };
  return (
    <Modal
      opened
      onClose={giveUp}
      title={make.data ? 'The key' : 'A new key'}
      withCloseButton={!make.isPending && !make.data}
    >
      {make.data ? (
        <ShownKey text={make.data.key} login={first ? login : null} onClose={close} />
      ) : (
        <SubmitForm
          label="Make the key"
          incomplete={name.trim() === ''}
          send={make}
          onCancel={giveUp}
          isBinding
        >
          <TextInput
            label="Name"
            description="Who or what it is for"
            placeholder="camera-gateway"
            maxLength={100}
            data-autofocus
            value={name}
            onChange={event => setName(event.currentTarget.value)}
          />
          <Radio.Group
            label="It may"
            description={first ? 'The first key makes the others: it is an administrator’s.' : undefined}
            value={scope}
            onChange={value => setScope(value as Scope)}
          >
            <Stack gap={8} mt={8}>
              {SCOPES.map(({ scope: value, means }) => (
                <Radio
                  key={value}
                  value={value}
                  label={value}
                  description={means}
                  disabled={first && value !== 'admin'}
                />
              ))}
            </Stack>
          </Radio.Group>
        </SubmitForm>
      )}
    </Modal>
  );
}
