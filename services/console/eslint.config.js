import hooks from 'eslint-plugin-react-hooks';
import tseslint from 'typescript-eslint';

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'src/api/schema.gen.ts', 'browser/out'] },
  ...tseslint.configs.strict,
  {
    files: ['src/**/*.{ts,tsx}'],
    plugins: { 'react-hooks': hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      // The React compiler is not used, and these libraries do no harm without it.
      'react-hooks/incompatible-library': 'off',
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // Definitions are JSON objects whose fields come and go.
      '@typescript-eslint/no-dynamic-delete': 'off',
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_', argsIgnorePattern: '^_' }],
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      'no-console': 'error',
      'no-restricted-syntax': [
        'error',
        {
          // The console's own pictures have a fixed address, and are there.
          selector:
            'JSXOpeningElement[name.name="img"]:not(:has(JSXAttribute[name.name="src"][value.type="Literal"]))',
          message: 'A picture may be gone or be none: ui/ShownPicture says so.',
        },
      ],
    },
  },
  { files: ['src/ui/ShownPicture.tsx'], rules: { 'no-restricted-syntax': 'off' } },
);
