import { useEffect, useSyncExternalStore } from "react";
import { AuthProvider, ProtectedRoute, SignIn, SignUp, UserButton, UserProfile } from "sekisho/react";
import { client } from "./api";
import { Notes } from "./Notes";
import { locale, say } from "./texts";

/** Three places are few enough for the fragment of the address: #sign-up, #account, and the notes. */
function usePlace(): string {
  return useSyncExternalStore(
    (changed) => {
      window.addEventListener("hashchange", changed);
      return () => window.removeEventListener("hashchange", changed);
    },
    () => window.location.hash,
  );
}

const toNotes = () => {
  window.location.hash = "notes";
};

export function App() {
  const place = usePlace();
  useEffect(() => {
    document.documentElement.lang = locale;
    document.title = say("notes");
  }, []);

  return (
    <AuthProvider client={client} locale={locale}>
      <header className="bar">
        <a href="#notes">{say("notes")}</a>
        <UserButton accountUrl="#account" onSignedOut={toNotes} />
      </header>
      <main>
        <ProtectedRoute
          fallback={
            place === "#sign-up" ? (
              <SignUp signInUrl="#sign-in" onDone={toNotes} />
            ) : (
              <SignIn signUpUrl="#sign-up" onDone={toNotes} />
            )
          }
        >
          {place === "#account" ? <UserProfile onWithdrawn={toNotes} /> : <Notes />}
        </ProtectedRoute>
      </main>
    </AuthProvider>
  );
}
