import { useLocalStorage } from '@mantine/hooks';
import { IconLayoutSidebarLeftCollapse, IconLayoutSidebarLeftExpand } from '@tabler/icons-react';
import { useMemo, useRef } from 'react';
import { Link, NavLink, Outlet } from 'react-router';
import { Commands } from './Commands';
import { PLACES, type Place } from './navigation';
import { LogOut } from '~/login/LogOut';
import { useLoginWhenAsked } from '~/login/useLoginWhenAsked';
import { SchemeSwitch } from './SchemeSwitch';
import { ShortcutHelp } from './ShortcutHelp';
import { useGoShortcuts } from './useGoShortcuts';
import { useKeptScroll } from './useKeptScroll';
import classes from './Shell.module.css';

/** The frame of every page: where one can go, and what one can do anywhere. */
export function Shell() {
  const [narrow, setNarrow] = useLocalStorage({ key: 'millrace-nav-narrow', defaultValue: false });
  const main = useRef<HTMLElement>(null);
  useKeptScroll(main);
  useGoShortcuts();
  useLoginWhenAsked();
  const groups = useMemo(() => groupsOf(PLACES), []);
  return (
    <div className={classes.shell} data-narrow={narrow || undefined}>
      <a href="#main" className={classes.skip}>
        Skip to the content
      </a>
      <nav className={classes.nav} aria-label="Main">
        <Link to="/" className={classes.brand}>
          <img src="/millrace.svg" alt="" />
          <span className={classes.label}>Millrace</span>
        </Link>
        <Commands />
        {groups.map(([group, places]) => (
          <Group key={group} name={group} places={places} narrow={narrow} />
        ))}
        <span className={classes.spacer} />
        <LogOut />
        <SchemeSwitch />
        <ShortcutHelp />
        <button
          type="button"
          className={`${classes.link} ${classes.wide}`}
          onClick={() => setNarrow(!narrow)}
          aria-label={narrow ? 'Widen the navigation' : undefined}
        >
          {narrow ? (
            <IconLayoutSidebarLeftExpand size={17} stroke={1.8} aria-hidden />
          ) : (
            <IconLayoutSidebarLeftCollapse size={17} stroke={1.8} aria-hidden />
          )}
          <span className={classes.label}>Collapse</span>
        </button>
      </nav>
      <main ref={main} id="main" className={classes.main} tabIndex={-1}>
        <Outlet />
      </main>
    </div>
  );
}

function Group({ name, places, narrow }: { name: string; places: Place[]; narrow: boolean }) {
  return (
    <>
      <span className={classes.group}>{name}</span>
      {places.map(({ to, label, icon: Icon, minor }) => (
        <NavLink
          key={to}
          to={to}
          end={to === '/'}
          className={classes.link}
          title={narrow ? label : undefined}
          data-minor={minor || undefined}
        >
          <Icon size={17} stroke={1.8} aria-hidden />
          <span className={classes.label}>{label}</span>
        </NavLink>
      ))}
    </>
  );
}

function groupsOf(places: Place[]): [string, Place[]][] {
  const groups = new Map<string, Place[]>();
  for (const place of places) groups.set(place.group, [...(groups.get(place.group) ?? []), place]);
  return [...groups];
}
