import type { Json } from '~/api/types';
import { Panel } from '~/ui/Panel';
import { PortValue } from './PortValue';
import classes from './Values.module.css';

/** Longer texts have a block of their own. */
const SHORT = 100;

/** Whether a value fits into a line beside its name. */
export function isShort(value: Json): boolean {
  if (typeof value === 'string') return value.length <= SHORT && !value.includes('\n');
  return typeof value !== 'object' || value === null;
}

interface Props {
  /** Values that belong together, by name. */
  entries: readonly (readonly [string, Json])[];
  large?: boolean;
}

/** Values: short ones in one panel, a line each; each of the others in its own. */
export function Values({ entries, large = false }: Props) {
  const short = entries.filter(([, value]) => isShort(value));
  const others = entries.filter(([, value]) => !isShort(value));
  return (
    <>
      {short.length > 0 && (
        <Panel flush>
          <dl className={classes.list}>
            {short.map(([name, value]) => (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{typeof value === 'string' ? value : JSON.stringify(value)}</dd>
              </div>
            ))}
          </dl>
        </Panel>
      )}
      {others.map(([name, value]) => (
        <Panel key={name} title={name}>
          <PortValue name={name} value={value} large={large} />
        </Panel>
      ))}
    </>
  );
}
