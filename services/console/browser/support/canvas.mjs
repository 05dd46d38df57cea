// What a hand does on the canvas.

/** A port's handle. */
export function port(node, handle) {
  return `.react-flow__node[data-id="${node}"] .react-flow__handle[data-handleid="${handle}"]`;
}

/** Drags a block from the palette to a place on the canvas. */
export async function addBlock(page, type, x, y) {
  const canvas = page.locator('.react-flow__pane');
  await page.locator(`[data-block=${type}]`).dragTo(canvas, { targetPosition: { x, y } });
}

/** Pulls a wire from one handle to another. */
export async function connect(page, from, to) {
  const middle = async selector => {
    const box = await page.locator(selector).boundingBox();
    return [box.x + box.width / 2, box.y + box.height / 2];
  };
  await page.mouse.move(...(await middle(from)));
  await page.mouse.down();
  const [x, y] = await middle(to);
  await page.mouse.move(x - 20, y - 10, { steps: 4 });
  await page.mouse.move(x, y, { steps: 3 });
  await page.mouse.up();
}
