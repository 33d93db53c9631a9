// What this server can do: the paths of its own description of the API.

import {get} from './api.js';

let paths = null;  // unknown: whatever the page knows is offered

export async function readFeatures() {
  try {
    paths = Object.keys((await get(['openapi.json'])).paths ?? {});
  } catch {
    paths = null;
  }
}

// `end`: the end of a path, "/edit".
export const serverHas = (end) => paths === null || paths.some((path) => path.endsWith(end));
