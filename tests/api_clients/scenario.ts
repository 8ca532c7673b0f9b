// The same day as in scenario.py, with the types that openapi-typescript makes and openapi-fetch.

import createClient from "openapi-fetch";
import type { components, paths } from "./api.js";

declare const process: { argv: string[] };
const [url, id] = process.argv.slice(2) as [string, string];
const api = createClient<paths>({ baseUrl: url });
const seen: Record<string, unknown> = {};

type Refusal = components["schemas"]["Refusal"];
type Answer<T> = { data?: T; error?: Refusal; response: Response };

function served<T>(answer: Answer<T>): T {
  if (answer.error || answer.data === undefined) throw new Error(JSON.stringify(answer.error));
  return answer.data;
}

function code<T>(answer: Answer<T>): components["schemas"]["ErrorCode"] | undefined {
  return answer.error?.code;
}

const testUserIds = ["00000000-0000-4000-8000-000000000001"];
const document: components["schemas"]["RecipeDocument"] = {
  id,
  name: "From a generated client",
  schedule: { timezone: "Europe/Berlin", frequency: "weekly", executionTime: "18:30", daysOfWeek: [1, "friday"] },
  pushSequence: [
    { title: "Hello [[var:firstName|there]]", body: "First", layerId: 2 },
    { title: "Once more", body: "Second", layerId: 2, timing: { delayAfterPrevious: 5 } },
  ],
  audienceCriteria: { filters: { lastActiveDays: 365, minLifetimeTrades: 0 } },
  settings: { testUserIds },
};
const recipes = "/api/automation/recipes" as const;
const one = "/api/automation/recipes/{recipeId}" as const;
const path = { recipeId: id };

const created = served(await api.POST(recipes, { body: document })).data;
if (!("schedule" in created)) throw new Error("the recipe has no schedule");
seen["created"] = [created.status, created.schedule.daysOfWeek, created.pushSequence[1]?.timing?.delayAfterPrevious];
seen["taken id"] = code(await api.POST(recipes, { body: document }));

const read = await api.GET(one, { params: { path } });
const header = { "If-Match": read.response.headers.get("ETag") ?? "" };
const changes = { name: "Edited", status: "active" } as const;
const edited = served(await api.PUT(one, { params: { path, header }, body: changes })).data;
if (!("schedule" in edited)) throw new Error("the recipe has no schedule");
seen["edited"] = [edited.name, edited.status, edited.schedule.daysOfWeek];
seen["changed meanwhile"] = code(await api.PUT(one, { params: { path, header }, body: changes }));

// @ts-expect-error the types know the settings: this key is misspelled
const misspelled: components["schemas"]["RecipeChanges"] = { settings: { testUserIds, safegards: { maxAudienceSize: 5 } } };
const refused = await api.PUT(one, { params: { path }, body: misspelled });
seen["misspelled"] = [code(refused), refused.error?.errors[0]?.field, refused.error?.errors[0]?.code];

seen["listed"] = served(await api.GET(recipes, { params: { query: { limit: 500 } } })).data.map((each) => each.id);
const mode = { path, query: { mode: "real-dry-run" } } as const;
const trial = served(await api.GET("/api/automation/test/{recipeId}", { params: mode })).data;
seen["dry run"] = [trial.valid, trial.pushes.length, trial.totals.eligible > 0];

const control = "/api/automation/control" as const;
const once = { "Idempotency-Key": id };
const now = { action: "execute_now", recipeId: id } as const;
const started = served(await api.POST(control, { params: { header: once }, body: now })).data.executions[0];
if (!started) throw new Error("nothing was started");
seen["executed"] = started.status;
const cancel = { action: "cancel", executionId: started.executionId, reason: "wrong picture" } as const;
served(await api.POST(control, { body: cancel }));
const followed = { path: { ...path, executionId: started.executionId } };
const shown = served(await api.GET("/api/automation/{recipeId}/executions/{executionId}", { params: followed })).data;
seen["cancelled"] = [shown.status, shown.recipeId];
const unknown = { action: "cancel", executionId: `${id}_20200101T000000Z` } as const;
seen["nothing to cancel"] = code(await api.POST(control, { body: unknown }));

seen["version"] = served(await api.GET("/api/version")).data.version;
served(await api.DELETE(one, { params: { path } }));
seen["gone"] = code(await api.GET(one, { params: { path } }));
console.log(JSON.stringify(seen));
