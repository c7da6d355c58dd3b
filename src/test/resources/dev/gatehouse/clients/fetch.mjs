// Reads requests from standard input, one JSON object a line, and sends each with fetch. Writes one
// line for each: what came, or the error. With "stream" it writes a line for each part of the body.
import { createInterface } from 'node:readline';

const write = (object) => process.stdout.write(JSON.stringify(object) + '\n');

function bodyOf(request) {
  if (request.body === undefined) {
    return {};
  }
  const bytes = Buffer.from(request.body, 'base64');
  return request.chunked
    ? { body: new Blob([bytes]).stream(), duplex: 'half' }
    : { body: bytes };
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line);
  try {
    const answer = await fetch(request.url, {
      method: request.method,
      headers: request.headers,
      signal: AbortSignal.timeout(request.patience),
      ...bodyOf(request),
    });
    if (request.stream) {
      for await (const part of answer.body) {
        write({ part: Buffer.from(part).toString('base64') });
      }
      write({ end: true });
    } else {
      const body = Buffer.from(await answer.arrayBuffer()).toString('base64');
      write({ status: answer.status, headers: [...answer.headers], body });
    }
  } catch (error) {
    write({ error: `${error} ${error.cause ?? ''}` });
  }
}
