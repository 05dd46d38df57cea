import { Alert, Button, Modal, Stack } from '@mantine/core';
import { IconCamera } from '@tabler/icons-react';
import { useEffect, useRef, useState } from 'react';

interface Props {
  onClose(): void;
  onPicture(picture: Blob): void;
}

/** A picture from the camera; the camera is let go when this closes. */
export function Webcam({ onClose, onPicture }: Props) {
  const video = useRef<HTMLVideoElement>(null);
  const [fault, setFault] = useState<string | null>(null);
  useEffect(() => {
    let stream: MediaStream | null = null;
    let closed = false;
    const open = async (): Promise<void> => {
      // Browsers give the camera to secure pages only, and then `mediaDevices` is not there at all.
      const devices = navigator.mediaDevices as MediaDevices | undefined;
      if (!devices) throw new Error('The browser gives the camera to pages on https or localhost only.');
      const opened = await devices.getUserMedia({ video: { width: { ideal: 1920 } } });
      if (closed) opened.getTracks().forEach(track => track.stop());
      else stream = opened;
      if (video.current) video.current.srcObject = stream;
    };
    open().catch((error: unknown) => setFault(error instanceof Error ? error.message : String(error)));
    return () => {
      closed = true;
      stream?.getTracks().forEach(track => track.stop());
    };
  }, []);
  const take = (): void => {
    const source = video.current;
    if (!source?.videoWidth) return;
    const canvas = document.createElement('canvas');
    [canvas.width, canvas.height] = [source.videoWidth, source.videoHeight];
    canvas.getContext('2d')?.drawImage(source, 0, 0);
    canvas.toBlob(
      blob => {
        if (blob) onPicture(blob);
        onClose();
      },
      'image/jpeg',
      0.92,
    );
  };
  return (
    <Modal opened onClose={onClose} title="Camera" size="lg">
      <Stack>
        {fault ? (
          <Alert color="red" title="The camera could not be opened">
            {fault}
          </Alert>
        ) : (
          <video
            ref={video}
            autoPlay
            muted
            playsInline
            style={{ width: '100%', borderRadius: 8, background: '#000' }}
          />
        )}
        <Button leftSection={<IconCamera size={16} />} onClick={take} disabled={fault !== null}>
          Take the picture
        </Button>
      </Stack>
    </Modal>
  );
}
