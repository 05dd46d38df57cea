import { lazy, Suspense, useReducer, type ComponentType, type ReactNode } from 'react';
import { Boundary } from './Boundary';

/**
 * A part of a page that is loaded when it is first shown. One that does not come says so in its place, and is asked for again
 * where somebody wants it; one that can be closed can be closed then as well.
 */
export function lazyPart<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
  waiting: ReactNode = null,
): ComponentType<Props> {
  const ask = () => lazy(() => load().then(part => ({ default: part })));
  let asked = ask();
  return function Part(props: Props) {
    const [, redraw] = useReducer((times: number) => times + 1, 0);
    const Content: ComponentType<Props> = asked;
    // What has failed to load stays failed: only another is loaded anew.
    const again = (): void => {
      asked = ask();
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
