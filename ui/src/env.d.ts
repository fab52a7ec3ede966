/*
 * What an import of a .vue file is, for tools that cannot look into one (eslint's types); vue-tsc can, and does.
 */
declare module '*.vue' {
  import type { DefineComponent } from 'vue'

  const component: DefineComponent
  export default component
}

/** Which version these pages are of (vite.config.ts). */
declare const UI_VERSION: string
