import { ActionIcon, Button, Group, Menu, Text } from '@mantine/core';
import { IconCamera, IconLink, IconPhotoPlus, IconSparkles, IconX } from '@tabler/icons-react';
import { useCallback, useRef, useState, type DragEvent } from 'react';
import type { NodeDefinition } from '~/api/types';
import { notifyProblem } from '~/ui/notify';
import { lazyPart } from '~/ui/lazyPart';
import { ShownPicture } from '~/ui/ShownPicture';
import { AddressField } from './AddressField';
import { pictureAt, pictureOf, type InputValue, type Picture } from './inputs';
import classes from './PictureField.module.css';
import { SAMPLES } from './samples';
import { usePaste } from './usePaste';

const Webcam = lazyPart(
  () => import('./Webcam'),
  module => module.Webcam,
);

interface Props {
  node: NodeDefinition;
  isList: boolean;
  /** Whether what is pasted outside any field is meant for this one. */
  first: boolean;
  value: InputValue;
  /** Changes it from what it is by then: pictures may come late, and one after the other. */
  onChange(change: (now: InputValue) => InputValue): void;
}

/** A picture, or several: dropped, pasted, chosen, from an address, or from the camera. */
export function PictureField({ node, isList, first, value, onChange }: Props) {
  const pictures = picturesIn(value);
  const [over, setOver] = useState(false);
  const [camera, setCamera] = useState(false);
  const [asking, setAsking] = useState(false);
  const chooser = useRef<HTMLInputElement>(null);
  const change = (edit: (now: Picture[]) => Picture[]): void =>
    onChange(now => ({ kind: 'pictures', pictures: edit(picturesIn(now)) }));
  const add = (more: Picture[]): void => {
    if (more.length > 0) change(now => (isList ? [...now, ...more] : more.slice(0, 1)));
  };
  const addFiles = (files: Iterable<File>): void => {
    const [all, isPicture] = [[...files], (file: File) => file.type.startsWith('image/')];
    const other = all.find(file => !isPicture(file));
    if (other) notifyProblem('Left out', new Error(`${other.name} is no picture`));
    add(all.filter(isPicture).map(file => pictureOf(file, file.name)));
  };
  const section = useRef<HTMLElement>(null);
  usePaste(section, first, { onFiles: addFiles, onAddress: address => add([pictureAt(address)]) });
  const onDrop = (event: DragEvent): void => {
    event.preventDefault();
    setOver(false);
    addFiles(event.dataTransfer.files);
  };
  const addSample = async (url: string, name: string): Promise<void> => {
    try {
      const answer = await fetch(url);
      if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
      add([pictureOf(await answer.blob(), name)]);
    } catch (error) {
      notifyProblem('The sample could not be loaded', error);
    }
  };
  return (
    <section ref={section} aria-label={`Input ${node.id}`} data-pictures>
      <Text size="sm" fw={500} mb={6}>
        {node.id} <small style={{ color: 'var(--ink-soft)' }}>{isList ? 'pictures' : 'picture'}</small>
        {node.config?.required !== false && <span style={{ color: 'var(--state-failed)' }}> *</span>}
      </Text>
      <div
        className={classes.zone}
        data-over={over || undefined}
        onDragOver={event => {
          event.preventDefault();
          setOver(true);
        }}
        onDragLeave={() => setOver(false)}
        onDrop={onDrop}
      >
        {pictures.length > 0 ? (
          <div className={classes.pictures} data-one={pictures.length === 1 || undefined}>
            {pictures.map(picture => (
              <figure key={picture.id}>
                <Preview picture={picture} />
                <ActionIcon
                  size="sm"
                  variant="filled"
                  color="dark"
                  className={classes.remove}
                  aria-label={`Remove ${picture.name}`}
                  onClick={() => change(now => now.filter(one => one !== picture))}
                >
                  <IconX size={13} />
                </ActionIcon>
              </figure>
            ))}
          </div>
        ) : (
          <button type="button" className={classes.invite} onClick={() => chooser.current?.click()}>
            <IconPhotoPlus size={26} stroke={1.4} aria-hidden />
            <span>
              Drop {isList ? 'pictures' : 'a picture'} here, paste, or <u>choose</u>
            </span>
          </button>
        )}
      </div>
      <input
        ref={chooser}
        type="file"
        accept="image/*"
        multiple={isList}
        hidden
        data-input={node.id}
        onChange={({ currentTarget: input }) => {
          addFiles([...(input.files ?? [])]);
          // The same file, chosen once more, is a change again.
          input.value = '';
        }}
      />
      <Group gap={6} mt={8}>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconPhotoPlus size={13} />}
          onClick={() => chooser.current?.click()}
        >
          File
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconLink size={13} />}
          onClick={() => setAsking(!asking)}
        >
          URL
        </Button>
        <Button
          size="compact-xs"
          variant="default"
          leftSection={<IconCamera size={13} />}
          onClick={() => setCamera(true)}
        >
          Camera
        </Button>
        <Menu>
          <Menu.Target>
            <Button size="compact-xs" variant="default" leftSection={<IconSparkles size={13} />}>
              Sample
            </Button>
          </Menu.Target>
          <Menu.Dropdown>
            {SAMPLES.map(sample => (
              <Menu.Item
                key={sample.name}
                leftSection={
                  <ShownPicture
                    sources={[sample.url]}
                    alt=""
                    width={34}
                    height={26}
                    tiny
                    style={{ objectFit: 'cover', borderRadius: 4 }}
                  />
                }
                onClick={() => void addSample(sample.url, sample.name)}
              >
                {sample.name}
              </Menu.Item>
            ))}
          </Menu.Dropdown>
        </Menu>
      </Group>
      {asking && (
        <AddressField onAddress={address => add([pictureAt(address)])} onClose={() => setAsking(false)} />
      )}
      {camera && (
        <Webcam onClose={() => setCamera(false)} onPicture={blob => add([pictureOf(blob, 'camera.jpg')])} />
      )}
    </section>
  );
}

const picturesIn = (value: InputValue) => (value.kind === 'pictures' ? value.pictures : []);

function Preview({ picture }: { picture: Picture }) {
  if ('file' in picture) return <Chosen file={picture.file} name={picture.name} />;
  if (picture.preview) return <ShownPicture sources={[picture.preview]} alt={picture.name} />;
  return <span className={classes.remote}>{picture.name}</span>;
}

/** A file under an address of its own, which holds its bytes: it is given back when the picture is no longer shown. */
function Chosen({ file, name }: { file: Blob; name: string }) {
  const show = useCallback(
    (image: HTMLImageElement) => {
      const address = URL.createObjectURL(file);
      image.src = address;
      return () => URL.revokeObjectURL(address);
    },
    [file],
  );
  return <ShownPicture ref={show} alt={name} />;
}
