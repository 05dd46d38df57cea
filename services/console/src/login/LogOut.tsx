import { IconLogout } from '@tabler/icons-react';
import classes from '~/app/Shell.module.css';
import { logOut } from './session';
import { useWho } from './who';

/** Who is logged in, and the way out. */
export function LogOut() {
  const who = useWho();
  if (!who?.guarded) return null;
  return (
    <button
      type="button"
      className={`${classes.link} ${classes.wide}`}
      title={`${who.name}: ${who.scope}`}
      onClick={() => void logOut()}
    >
      <IconLogout size={17} stroke={1.8} aria-hidden />
      <span className={classes.label}>
        Log out
        <small className={classes.who}>
          {who.name} · {who.scope}
        </small>
      </span>
    </button>
  );
}
