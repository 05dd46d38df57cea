import { IconLogout } from '@tabler/icons-react';
import { useQueryClient } from '@tanstack/react-query';
import { useNavigate } from 'react-router';
import classes from '~/app/Shell.module.css';
import { notifyProblem } from '~/ui/notify';
import { logOut } from './session';
import { useWho } from './who';

/** The way out, where somebody is logged in. */
export function LogOut() {
  const queries = useQueryClient();
  const navigate = useNavigate();
  const who = useWho();
  if (!who?.guarded) return null;
  const leave = async (): Promise<void> => {
    try {
      await logOut();
      queries.clear();
      await navigate('/login');
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
