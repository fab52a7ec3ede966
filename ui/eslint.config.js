/*
 * What eslint looks for: errors, unsafe types, Vue's recommendations, and accessibility of templates.
 * No style attribute may stand in a template, as style-src 'self' forbids it; :style goes by the CSSOM.
 */
import js from '@eslint/js'
import vue from 'eslint-plugin-vue'
import a11y from 'eslint-plugin-vuejs-accessibility'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/', 'node_modules/', 'src/api/schema.ts'] },
  js.configs.recommended,
  ...tseslint.configs.recommendedTypeChecked,
  ...vue.configs['flat/recommended'],
  ...a11y.configs['flat/recommended'],
  {
    languageOptions: {
      parserOptions: { parser: tseslint.parser, projectService: true, extraFileExtensions: ['.vue'] },
    },
    rules: {
      'no-undef': 'off', // TypeScript does that
      'no-console': 'error',
      eqeqeq: ['error', 'always'],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      'vue/block-lang': ['error', { script: { lang: 'ts' } }],
      'vue/block-order': ['error', { order: ['script', 'template', 'style'] }],
      'vue/component-api-style': ['error', ['script-setup']],
      'vue/no-static-inline-styles': 'error',
      'vue/no-v-html': 'error',
      'vue/no-unused-refs': 'error',
      'vue/no-undef-components': ['error', { ignorePatterns: ['^(q-|Q|router-|Router)'] }],
      // prettier's business elsewhere, nobody's here
      'vue/max-attributes-per-line': 'off',
      'vue/singleline-html-element-content-newline': 'off',
      'vue/html-self-closing': ['error', { html: { void: 'always', normal: 'never' } }],
      'vue/multiline-html-element-content-newline': 'off',
      'vue/multi-word-component-names': 'off', // a badge is a Badge
      // a form that fills the page or a dialog begins at its first field
      'vuejs-accessibility/no-autofocus': 'off',
      // a label is that of the control inside it
      'vuejs-accessibility/label-has-for': ['error', { required: { some: ['nesting', 'id'] } }],
    },
  },
  { files: ['**/*.js'], ...tseslint.configs.disableTypeChecked },
)
