// How the page is built: three files of fixed names, nothing fetched from elsewhere, the same bytes every time.
import { defineConfig, type Plugin } from "vite";

/** Lets the page also be opened from disk and inlined: no `crossorigin`, and files that end with a line's end. */
function plainFiles(): Plugin {
  return {
    name: "plain-files",
    enforce: "post",
    transformIndexHtml: (html) => html.replaceAll(" crossorigin", "").replaceAll(/[ \t]+$/gm, ""),
    generateBundle(_options, bundle) {
      for (const file of Object.values(bundle)) {
        if (file.type === "chunk") file.code = clean(file.code);
        else if (typeof file.source === "string") file.source = clean(file.source);
      }
    },
  };
}

const clean = (text: string): string => `${text.replaceAll("\t", " ").replaceAll(/ +$/gm, "").trimEnd()}\n`;

export default defineConfig({
  base: "./",
  plugins: [plainFiles()],
  build: {
    outDir: "../crates/web/assets",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    cssCodeSplit: false,
    assetsInlineLimit: 100_000_000,
    rollupOptions: {
      output: {
        format: "es",
        inlineDynamicImports: true,
        entryFileNames: "page.js",
        assetFileNames: "page[extname]",
      },
    },
  },
});
