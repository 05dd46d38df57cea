import { IconLogout } from '@tabler/icons-react';
import classes from '~/app/Shell.module.css';
import { notifyProblem } from '~/ui/notify';
import { logOut } from './session';
import { useWho } from './who';

/** Who is logged in, and the way out. */
export function LogOut() {
  const who = useWho();
  if (!who?.guarded) return null;
  const leave = async (): Promise<void> => {
    try {
      await logOut();
      // Loaded anew, the page has nothing left of what was seen.
      window.location.assign('/login');
    } catch (error) {
      notifyProblem('You are still logged in', error);
    }
  };
  return (
    <button
      type="button"
      className={`${classes.link} ${classes.wide}`}
      title={`${who.name}: ${who.scope}`}
      onClick={() => void leave()}
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
