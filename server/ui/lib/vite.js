/**
 * How every workspace builds its pages.
 *
 * `NAME.html` beside `vite.config.js` is one page; it comes out as `../pages/NAME.html` with hashed files under
 * `../pages/assets/`, which the server offers below `/pages/AREA/assets/`.
 */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import vue from '@vitejs/plugin-vue'

/** The oldest browsers in halls: kiosk and board boxes with Chromium 80 (2020) and phones of that age. Stated here only. */
export const OLDEST_BROWSERS = ['es2020', 'chrome80', 'safari14']

/** Give the Vite configuration of one workspace: `area` is its name on the wire, `root` its folder. */
export function pages(area, root) {
  const input = readdirSync(root)
    .filter((name) => name.endsWith('.html'))
    .map((name) => join(root, name))
  if (input.length === 0) throw new Error(`${root} has no page: a page is an .html file beside vite.config.js`)
  return {
    root,
    base: `/pages/${area}/`,
    plugins: [vue()],
    // Half of vue-i18n and Vue is for what the pages do not use: leave it out of the bundle.
    define: {
      __VUE_OPTIONS_API__: 'false',
      __VUE_PROD_DEVTOOLS__: 'false',
      __VUE_PROD_HYDRATION_MISMATCH_DETAILS__: 'false',
      __VUE_I18N_FULL_INSTALL__: 'false',
      __VUE_I18N_LEGACY_API__: 'false',
      __INTLIFY_DROP_MESSAGE_COMPILER__: 'false',
      __INTLIFY_JIT_COMPILATION__: 'true', // no eval: the pages run under a Content-Security-Policy
      __INTLIFY_PROD_DEVTOOLS__: 'false',
    },
    build: {
      outDir: join(root, '..', 'pages'),
      emptyOutDir: true,
      target: OLDEST_BROWSERS,
      cssTarget: OLDEST_BROWSERS,
      assetsInlineLimit: 0, // a data: address would be refused by the Content-Security-Policy
      modulePreload: { polyfill: false },
      reportCompressedSize: false,
      chunkSizeWarningLimit: 600,
      rolldownOptions: {
        input,
        // One file for what several pages take from libraries: a file for each icon would be a request for each.
        output: { codeSplitting: { groups: [{ name: 'libraries', test: /node_modules/, minShareCount: 2 }] } },
      },
    },
  }
}
