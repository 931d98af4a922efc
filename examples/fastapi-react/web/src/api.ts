import { createAuthClient } from "sekisho";

export const client = createAuthClient({
  baseUrl: import.meta.env.VITE_AUTH_URL ?? "http://localhost:8080",
  clientId: "notes",
});

export interface Note {
  readonly id: number;
  readonly text: string;
  readonly created_at: string;
}

/** Like `fetch`, with the access token; rejects where the API refuses or is away. */
async function call(method: string, path: string, body?: object): Promise<Response> {
  const response = await client.authFetch(path, {
    method,
    ...(body ? { headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) } : {}),
  });
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`);
  return response;
}

export const listNotes = async (): Promise<Note[]> => (await call("GET", "/api/notes")).json();

export const addNote = async (text: string): Promise<Note> => (await call("POST", "/api/notes", { text })).json();

export const deleteNote = async (note: Note): Promise<void> => {
  await call("DELETE", `/api/notes/${note.id}`);
};
