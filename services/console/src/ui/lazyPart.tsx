import { lazy, Suspense, useReducer, type ComponentType, type ReactNode } from 'react';
import { Boundary } from './Boundary';

/**
 * A part of a page that is loaded when it is first shown. One that does not come says so in its place, and is asked for again
 * where somebody wants it; one that can be closed can be closed then as well.
 */
export function lazyPart<Module, Props extends object>(
  load: () => Promise<Module>,
  pick: (module: Module) => ComponentType<Props>,
  waiting: ReactNode = null,
): ComponentType<Props> {
  const part = (from: () => Promise<Module>) =>
    lazy(() => from().then(module => ({ default: pick(module) })));
  let asked = part(load);
  return function Part(props: Props) {
    const [times, redraw] = useReducer((before: number) => before + 1, 0);
    const Content: ComponentType<Props> = asked;
    const again = (error: Error): void => {
      const address = failedAddress(error);
      asked = part(address === null ? load : () => loadAnew(`${address}?again=${times}`));
      redraw();
    };
    const { onClose } = props as { onClose?: () => void };
    return (
      <Boundary onAgain={again} onClose={onClose}>
        <Suspense fallback={waiting}>
          <Content {...props} />
        </Suspense>
      </Boundary>
    );
  };
}

/** Where a script was to come from that did not, as browsers say it. */
function failedAddress({ message }: Error): string | null {
  return /import.*?(https?:\/\/[^\s?]+\.js)/.exec(message)?.[1] ?? null;
}

/** A browser remembers that a script did not come, and gives no second try by the same address. */
function loadAnew<Module>(address: string): Promise<Module> {
  return import(/* @vite-ignore */ address) as Promise<Module>;
}
