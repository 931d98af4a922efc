import { type FormEvent, useCallback, useEffect, useState } from "react";
import { addNote, deleteNote, listNotes, type Note } from "./api";
import { locale, say } from "./texts";

const when = new Intl.DateTimeFormat(locale, { dateStyle: "medium", timeStyle: "short" });

export function Notes() {
  const [notes, setNotes] = useState<Note[] | null>(null);
  const [text, setText] = useState("");
  const [isBusy, setBusy] = useState(false);
  const [hasFailed, setFailed] = useState(false);

  /** One thing at a time; what is typed stays until it is kept. */
  const attempt = useCallback(async (work: () => Promise<void>) => {
    setBusy(true);
    try {
      await work();
      setFailed(false);
    } catch {
      // An ended session has already brought the form to sign in; everything else is said here.
      setFailed(true);
    }
    setBusy(false);
  }, []);

  const load = useCallback(() => attempt(async () => setNotes(await listNotes())), [attempt]);

  useEffect(() => {
    void load();
  }, [load]);

  const add = (event: FormEvent) => {
    event.preventDefault();
    if (isBusy || text.trim() === "") return;
    void attempt(async () => {
      const note = await addNote(text);
      setNotes((before) => [note, ...(before ?? [])]);
      setText("");
    });
  };

  const remove = (note: Note) =>
    attempt(async () => {
      await deleteNote(note);
      setNotes((before) => (before ?? []).filter((other) => other.id !== note.id));
    });

  return (
    <div className="notes">
      <form className="sekisho-card" onSubmit={add} aria-busy={isBusy}>
        <label htmlFor="text">{say("new_note")}</label>
        <textarea
          id="text"
          className="sekisho-input"
          rows={3}
          maxLength={1000}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <button type="submit" className="sekisho-button" aria-disabled={isBusy || text.trim() === ""}>
          {say("add")}
        </button>
      </form>
      {hasFailed && (
        <p className="sekisho-problem" role="alert">
          {say("failed")}{" "}
          <button type="button" className="sekisho-link" onClick={load}>
            {say("try_again")}
          </button>
        </p>
      )}
      {notes?.length === 0 && <p className="sekisho-hint empty">{say("empty")}</p>}
      <ul>
        {notes?.map((note) => (
          <li key={note.id} className="sekisho-card">
            <p>{note.text}</p>
            <footer>
              <time dateTime={note.created_at} className="sekisho-hint">
                {when.format(new Date(note.created_at))}
              </time>
              <button type="button" className="sekisho-link" onClick={() => remove(note)}>
                {say("delete")}
              </button>
            </footer>
          </li>
        ))}
      </ul>
    </div>
  );
}
