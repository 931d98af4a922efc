import axios from "axios";
import { createAuthClient } from "sekisho";
import { attachAuth } from "sekisho/axios";

// Without `baseUrl`: the server is on the page's own origin, under /api/v1.
export const client = createAuthClient({ clientId: "tasks", transport: "session" });

const api = axios.create({ baseURL: "/api", timeout: 15_000 });
attachAuth(api, client);

export interface Task {
  readonly id: number;
  readonly text: string;
  readonly is_done: boolean;
}

export const listTasks = async () => (await api.get<Task[]>("/tasks")).data;

export const addTask = async (text: string) => (await api.post<Task>("/tasks", { text })).data;

export const setDone = async (task: Task, is_done: boolean) =>
  (await api.patch<Task>(`/tasks/${task.id}`, { is_done })).data;

export const deleteTask = async (task: Task) => {
  await api.delete(`/tasks/${task.id}`);
};
