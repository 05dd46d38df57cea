import { describe, expect, it } from 'vitest';
import type { Json, NodeDefinition } from '~/api/types';
import { submission } from '~/run/submission';
import { fieldOf } from './inputs';

const BLOB = `blob:${'ab'.repeat(32)}`;
const photo: NodeDefinition = { id: 'photo', type: 'image_input@1' };
const count: NodeDefinition = { id: 'count', type: 'parameter_input', config: { kind: 'integer' } };

/** What is sent where nobody has touched the field. */
const untouched = async (node: NodeDefinition, value: Json | undefined, isList = false) =>
  (await submission([{ node, value: fieldOf(node, value), isList }], {})).input;

describe('the fields of a schedule', () => {
  it('show a picture by its blob, and give back what stood there', async () => {
    const field = fieldOf(photo, BLOB);
    expect(field.kind === 'pictures' && field.pictures).toMatchObject([
      { preview: `/api/v1/blobs/${'ab'.repeat(32)}` },
    ]);
    expect(await untouched(photo, BLOB)).toEqual({ photo: BLOB });
    expect(await untouched(photo, ['https://x/a.jpg'], true)).toEqual({ photo: ['https://x/a.jpg'] });
    expect(await untouched(photo, { $value: 'x' })).toEqual({ photo: { $value: 'x' } });
    // What the server makes of a blob, of an address, and of several.
    const image = { kind: 'image', blob: 'ab'.repeat(32), width: 3, height: 2, format: 'jpeg' };
    const address = { kind: 'image_url', url: 'https://x/a.jpg' };
    expect(await untouched(photo, image)).toEqual({ photo: BLOB });
    expect(await untouched(photo, { $fetch: address })).toEqual({ photo: 'https://x/a.jpg' });
    expect(await untouched(photo, { $fetch: [image, address] }, true)).toEqual({
      photo: [BLOB, 'https://x/a.jpg'],
    });
    expect(await untouched(photo, undefined)).toEqual({});
    expect(await untouched(count, 7)).toEqual({ count: 7 });
    expect(await untouched(count, undefined)).toEqual({});
  });
});
