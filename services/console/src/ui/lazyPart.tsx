import { lazy, Suspense, useReducer, type ComponentType, type ReactNode } from 'react';
import { Boundary } from './Boundary';

interface GivenUp {
  /** What is done with one that did not come, where that is not to close it. */
  onGiveUp?(): void;
}

/**
 * A part of a page that is loaded when it is first shown. One that does not come says so in its place, and is asked for again
 * where somebody wants it; one that can be closed can be closed then as well.
 */
export function lazyPart<Module, Props extends object>(
  load: () => Promise<Module>,
  pick: (module: Module) => ComponentType<Props>,
  waiting: ReactNode | ((props: Props) => ReactNode) = null,
): ComponentType<Props & GivenUp> {
  const part = (from: () => Promise<Module>) =>
    lazy(() => from().then(module => ({ default: pick(module) })));
  let asked = part(load);
  return function Part({ onGiveUp, ...others }: Props & GivenUp) {
    const props = others as unknown as Props;
    const [times, redraw] = useReducer((before: number) => before + 1, 0);
    const Content: ComponentType<Props> = asked;
    const again = (error: Error): void => {
      const address = failedAddress(error);
      asked = part(address === null ? load : () => loadAnew(`${address}?again=${times}`));
      redraw();
    };
    const { onClose } = props as { onClose?: () => void };
    const fallback = typeof waiting === 'function' ? waiting(props) : waiting;
    return (
      <Boundary onAgain={again} onClose={onGiveUp ?? onClose}>
        <Suspense fallback={fallback}>
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
