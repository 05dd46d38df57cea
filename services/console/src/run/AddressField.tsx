import { TextInput } from '@mantine/core';
import { useState } from 'react';
import { isAddress } from './inputs';

interface Props {
  onAddress(address: string): void;
  onClose(): void;
}

/** The address of a picture that a worker fetches. Leaving the field takes it, as Enter does. */
export function AddressField({ onAddress, onClose }: Props) {
  const [text, setText] = useState('');
  const [wrong, setWrong] = useState(false);
  const take = (): void => {
    const address = text.trim();
    setWrong(address !== '' && !isAddress(address));
    if (isAddress(address)) onAddress(address);
    if (address === '' || isAddress(address)) onClose();
  };
  return (
    <TextInput
      mt={8}
      size="xs"
      autoFocus
      aria-label="Address of the picture"
      placeholder="https://…/picture.jpg, then Enter"
      error={wrong && 'An address begins with http:// or https://'}
      value={text}
      onChange={event => setText(event.currentTarget.value)}
      onBlur={take}
      onKeyDown={event => {
        if (event.key !== 'Enter') return;
        event.preventDefault();
        take();
      }}
    />
  );
}
