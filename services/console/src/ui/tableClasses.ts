import classes from './Table.module.css';

/** The look of every table of the console. */
export const table = classes as Readonly<
  Record<'wrap' | 'table' | 'cell' | 'end' | 'main' | 'above' | 'optional', string>
>;
