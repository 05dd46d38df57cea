import {
  IconArrowMerge,
  IconBinaryTree,
  IconChartHistogram,
  IconCpu,
  IconFileExport,
  IconPhotoCog,
  IconPhotoDown,
  type Icon,
} from '@tabler/icons-react';
import type { Category } from '~/api/types';

const ICONS: Record<Category, Icon> = {
  input: IconPhotoDown,
  model: IconCpu,
  transform: IconPhotoCog,
  logic: IconBinaryTree,
  output: IconFileExport,
};

const BY_BLOCK: Record<string, Icon> = { first_of: IconArrowMerge, aggregation: IconChartHistogram };

export const CATEGORIES: Category[] = ['input', 'model', 'transform', 'logic', 'output'];

export const CATEGORY_TITLES: Record<Category, string> = {
  input: 'Inputs',
  model: 'Models',
  transform: 'Transforms',
  logic: 'Logic',
  output: 'Outputs',
};

/** A block's icon, in the colour of its shelf. */
export function CategoryIcon({
  category,
  type,
  size = 16,
}: {
  category: Category;
  type?: string;
  size?: number;
}) {
  const Icon = (type && BY_BLOCK[type]) || ICONS[category];
  return (
    <span style={{ display: 'inline-flex', flex: 'none', color: `var(--category-${category})` }}>
      <Icon size={size} stroke={1.8} aria-hidden />
    </span>
  );
}
