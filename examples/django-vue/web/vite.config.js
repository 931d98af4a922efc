import vue from "@vitejs/plugin-vue";
import { defineConfig } from "vite";

export default defineConfig(({ command }) => ({
  plugins: [vue()],
  base: command === "build" ? "/static/" : "/",
  // `npm run dev` beside `./run.sh`: the page from Vite, everything else from Django.
  server: { proxy: { "/api": "http://127.0.0.1:8002" } },
}));
