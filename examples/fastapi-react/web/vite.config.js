import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  // `npm run dev` beside `./run.sh`: the page from Vite, the API from FastAPI.
  server: { proxy: { "/api": "http://127.0.0.1:8001" } },
});
