import { useComputedColorScheme, useMantineColorScheme } from '@mantine/core';
import { IconMoon, IconSun } from '@tabler/icons-react';
import classes from './Shell.module.css';

/** Dark or light. Until it is used, the system decides. */
export function SchemeSwitch() {
  const { setColorScheme } = useMantineColorScheme();
  const scheme = useComputedColorScheme('light');
  const Icon = scheme === 'dark' ? IconSun : IconMoon;
  const other = scheme === 'dark' ? 'light' : 'dark';
  return (
    <button type="button" className={`${classes.link} ${classes.wide}`} onClick={() => setColorScheme(other)}>
      <Icon size={17} stroke={1.8} aria-hidden />
      <span className={classes.label}>{other === 'dark' ? 'Dark' : 'Light'}</span>
    </button>
  );
}
