/** The repository's sample pictures, for a first run without looking for one. */
const files = import.meta.glob<string>('../../../../examples/*.jpg', {
  eager: true,
  import: 'default',
  query: '?url',
});

export const SAMPLES = Object.entries(files).map(([path, url]) => ({
  name: path.split('/').pop() ?? path,
  url,
}));
