import { afterEach, describe, expect, it, vi } from 'vitest';
import { PICTURE } from './picture';
import { classes, nameOf, register, type Registration } from './registration';

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
      weights: [],
      picture: PICTURE,
    });
    expect(sent.slice(0, 2).map(([path, type]) => [path, type])).toEqual([
      ['/api/v1/blobs?for=model', 'application/octet-stream'],
      ['/api/v1/blobs?for=model', 'application/octet-stream'],
    ]);
    expect(sent[2]).toEqual([
      '/api/v1/models',
      { id: 'parts', task: 'detection', checkpoint: 'blob:of-4', files: { 'config.json': 'blob:of-2' } },
    ]);
  });

  const nothing: Registration = {
    id: 'parts',
    task: 'detection',
    family: '',
    checkpoint: 'https://models.example/best.onnx',
    sha256: '',
    labels: '',
    files: {},
    weights: [],
    picture: null,
  };

  it('names weights as the graph does', async () => {
    let files: unknown;
    vi.stubGlobal('fetch', (_: string, { body }: { body: Blob | string }) => {
      if (body instanceof Blob) return Promise.resolve(Response.json({ blob: `of-${body.size}` }));
      ({ files } = JSON.parse(body));
      return Promise.resolve(Response.json({ model_id: 'parts' }));
    });
    await register({
      ...nothing,
      files: { 'export.json': new File(['{}'], 'export.json') },
      weights: [
        { name: '', origin: new File(['abc'], 'model.onnx.data') },
        { name: ' best.onnx_data_1 ', origin: new File(['abcd'], 'download') },
        { name: '', origin: 'https://models.example/best.onnx_data?v=2' },
        { name: 'none.data', origin: '' },
      ],
    });
    expect(files).toEqual({
      'export.json': 'blob:of-2',
      'model.onnx.data': 'blob:of-3',
      'best.onnx_data_1': 'blob:of-4',
      'best.onnx_data': 'https://models.example/best.onnx_data?v=2',
    });
  });

  it('says how a picture becomes a tensor, of a model that is run as plain tensors', async () => {
    let sent: unknown;
    const fetch = vi.fn((_: string, { body }: { body: string }) => {
      sent = JSON.parse(body);
      return Promise.resolve(Response.json({ model_id: 'parts' }));
    });
    vi.stubGlobal('fetch', fetch);
    const picture = { ...PICTURE, width: 8, height: 6 };
    // What it is called, and its classes, were written while it was to be another kind of model.
    await register({ ...nothing, task: 'tensor', picture, family: 'resnet', labels: '[broken]' });
    const { id, checkpoint } = nothing;
    expect(sent).toEqual({ id, task: 'tensor', checkpoint, files: {}, image: { size: [8, 6] } });
    await expect(register({ ...nothing, task: 'tensor', picture: PICTURE })).rejects.toThrow('width');
    expect(fetch).toHaveBeenCalledTimes(1);
  });

  it('sends nothing where weights have no name, or one twice', async () => {
    const fetch = vi.fn();
    vi.stubGlobal('fetch', fetch);
    const blob = { name: '', origin: `blob:${'a'.repeat(64)}` };
    expect(nameOf(blob)).toBe('');
    await expect(register({ ...nothing, weights: [blob] })).rejects.toThrow('need the name');
    const twice = { ...blob, name: 'a.data' };
    await expect(register({ ...nothing, weights: [twice, twice] })).rejects.toThrow('called a.data');
    expect(fetch).not.toHaveBeenCalled();
  });
});
