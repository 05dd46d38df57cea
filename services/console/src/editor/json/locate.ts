import type { SyntaxNode, Tree } from '@lezer/common';

/** Where in the text of a JSON document the value at these tokens stands, as far as it is there. */
export function locate(tree: Tree, text: string, tokens: readonly string[]): { from: number; to: number } {
  let at: SyntaxNode | null = tree.topNode.firstChild;
  let found = at ?? tree.topNode;
  for (const token of tokens) {
    at =
      at?.name === 'Array'
        ? itemOf(at, Number(token))
        : at?.name === 'Object'
          ? fieldOf(at, text, token)
          : null;
    if (!at) break;
    found = at;
  }
  return { from: found.from, to: found.to };
}

function itemOf(list: SyntaxNode, index: number): SyntaxNode | null {
  let at = -1;
  for (let item = list.firstChild; item; item = item.nextSibling) {
    if (/^[[\],]$/.test(item.name)) continue;
    at += 1;
    if (at === index) return item;
  }
  return null;
}

function fieldOf(object: SyntaxNode, text: string, name: string): SyntaxNode | null {
  for (const property of object.getChildren('Property')) {
    const key = property.getChild('PropertyName');
    if (key && text.slice(key.from, key.to) === JSON.stringify(name)) return property.lastChild;
  }
  return null;
}
