import { createElement } from 'react';
import { renderToStaticMarkup } from 'react-dom/server';
import { expect, it } from 'vitest';
import { VectorPlot } from './VectorPlot';

it('draws more numbers than a call takes arguments', () => {
  const values = Array.from({ length: 300_000 }, (_, at) => (at % 2 === 0 ? -1 : 2));
  const drawn = renderToStaticMarkup(createElement(VectorPlot, { values }));
  expect(drawn).toContain('-1.000 to 2.000');
});
