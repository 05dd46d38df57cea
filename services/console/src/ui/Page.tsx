import { Title } from '@mantine/core';
import { useDocumentTitle } from '@mantine/hooks';
import type { ReactNode } from 'react';
import classes from './Page.module.css';

interface Props {
  title: string;
  /** Beside the title: what can be done here. */
  actions?: ReactNode;
  /** Under the title: filters and the like. */
  toolbar?: ReactNode;
  children: ReactNode;
}

/** A page of text and tables: a title that stays in sight, and a column of content. */
export function Page({ title, actions, toolbar, children }: Props) {
  useDocumentTitle(`${title} · Millrace`);
  return (
    <>
      <header className={classes.header}>
        <div className={classes.row}>
          <Title order={1} className={classes.title}>
            {title}
          </Title>
          <div className={classes.actions}>{actions}</div>
        </div>
        {toolbar && <div className={classes.toolbar}>{toolbar}</div>}
      </header>
      <div className={classes.content}>{children}</div>
    </>
  );
}
