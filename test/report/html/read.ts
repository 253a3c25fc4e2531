import { type DefaultTreeAdapterTypes, parse } from 'parse5';

export interface Element {
  name: string;
  attributes: Record<string, string>;
  children: Element[];
  /** Of it and all below. */
  text: string;
}

/** The root of a page as a browser reads it. Throws on what the standard calls an error. */
export function readHtml(html: string): Element {
  const document = parse(html, {
    onParseError: ({ code, startLine, startCol }) => {
      throw new Error(`${code} at ${startLine}:${startCol}`);
    },
  });
  const [root] = elements(document.childNodes);
  if (!root) throw new Error('no element');
  return root;
}

function elements(nodes: readonly DefaultTreeAdapterTypes.ChildNode[]): Element[] {
  return nodes.flatMap((node) => {
    if (!('tagName' in node)) return [];
    return [
      {
        name: node.tagName,
        attributes: Object.fromEntries(node.attrs.map(({ name, value }) => [name, value])),
        children: elements(node.childNodes),
        text: textOf(node),
      },
    ];
  });
}

function textOf(node: DefaultTreeAdapterTypes.ChildNode): string {
  if ('value' in node) return node.value;
  return 'childNodes' in node ? node.childNodes.map(textOf).join('') : '';
}

/** Itself and every element below, in the order of the page. */
export function all(element: Element, name?: string): Element[] {
  const below = element.children.flatMap((child) => all(child, name));
  return name === undefined || element.name === name ? [element, ...below] : below;
}

export function byId(root: Element, id: string): Element {
  const found = all(root).filter(({ attributes }) => attributes.id === id);
  if (found.length !== 1 || !found[0]) throw new Error(`${found.length} elements have the id ${id}`);
  return found[0];
}

/** The cells of its rows, each with its text on one line. */
export function cells(element: Element): string[][] {
  return all(element, 'tr').map(({ children }) =>
    children.map(({ text }) => text.replace(/\s+/g, ' ').trim()),
  );
}
