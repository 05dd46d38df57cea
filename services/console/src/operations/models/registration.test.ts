import { afterEach, describe, expect, it, vi } from 'vitest';
import { classes, register } from './registration';

describe('the names of classes', () => {
  it('stand one a line, or as JSON', () => {
    expect(classes(' \n')).toEqual({});
    expect(classes('bolt\n nut, long \n\nwasher')).toEqual({ labels: ['bolt', 'nut, long', 'washer'] });
    expect(classes('["bolt", "nut"]')).toEqual({ labels: ['bolt', 'nut'] });
    expect(classes('{"0": "bolt", "1": "nut"}')).toEqual({ class_mapping: { 0: 'bolt', 1: 'nut' } });
    expect(classes('[bolt')).toEqual({ labels: ['[bolt'] });
    expect(classes('[a]lpha')).toEqual({ labels: ['[a]lpha'] });
  });

  it('stand as Python prints them, or are refused where that is not clear', () => {
    expect(classes("{0: 'bolt', 1: 'nut, long'}")).toEqual({ class_mapping: { 0: 'bolt', 1: 'nut, long' } });
    expect(classes("['bolt',\n 'nut']")).toEqual({ labels: ['bolt', 'nut'] });
    for (const text of [
      '["a","b",]',
      '{0: "bolt"}',
      '[bolt, nut]',
      "{0: 'a, 1: b'}",
      `{0: 'bolt', 1: "carpenter's nut"}`,
    ])
      expect(() => classes(text), text).toThrow('look like JSON');
  });
});

describe('registering', () => {
  afterEach(() => vi.unstubAllGlobals());

  it('uploads the files of this machine and names them by their digests', async () => {
    const sent: [string, unknown][] = [];
    vi.stubGlobal('fetch', (path: string, { body }: { body: Blob | string }) => {
      const isBlob = body instanceof Blob;
      sent.push([path, isBlob ? body.type : JSON.parse(body)]);
      return Promise.resolve(Response.json(isBlob ? { blob: `of-${body.size}` } : { model_id: 'parts' }));
    });
    await register({
      id: ' parts ',
      task: 'detection',
      family: '',
      checkpoint: new File(['onnx'], 'best.onnx'),
      sha256: 'of another file',
      labels: '',
      files: {
        'config.json': new File(['{}'], 'c.json', { type: 'application/json' }),
        'tokenizer.json': '',
      },
    });
    expect(sent.slice(0, 2).map(([path, type]) => [path, type])).toEqual([
      ['/api/v1/blobs', 'application/octet-stream'],
      ['/api/v1/blobs', 'application/octet-stream'],
    ]);
    expect(sent[2]).toEqual([
      '/api/v1/models',
      { id: 'parts', task: 'detection', checkpoint: 'blob:of-4', files: { 'config.json': 'blob:of-2' } },
    ]);
  });
});
