// SPDX-License-Identifier: Apache-2.0
// What node's parser (llhttp) makes of bytes: cases come from stdin, each in base64 on a line of its
// own; for each there is a line with the requests that it read to their end, and its error.
const { HTTPParser, allMethods } = process.binding('http_parser');

function text(bytes) {
  return bytes === undefined ? '' : bytes.toString('latin1');
}

function read(bytes) {
  const parser = new HTTPParser();
  const whole = [];
  let request;

  parser.initialize(HTTPParser.REQUEST, {});
  parser[HTTPParser.kOnMessageBegin | 0] = () => {
    request = { body: '', fields: [] };
  };
  parser[HTTPParser.kOnHeaders | 0] = (fields, url) => {
    if (request.method) return; // they are of the trailer section
    request.fields.push(...fields);
    request.url = (request.url || '') + url;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] = (major, minor, fields, method, url, status, phrase,
    upgrade, keep) => {
    if (fields) Object.assign(request, { fields, url }); // else they came by kOnHeaders
    Object.assign(request, { method: allMethods[method], minor, keep });
    return 0;
  };
  parser[HTTPParser.kOnBody | 0] = (piece) => { request.body += text(piece); };
  parser[HTTPParser.kOnMessageComplete | 0] = () => { whole.push(request); };
  const result = parser.execute(bytes);
  return { whole, error: result instanceof Error ? result.code : '' };
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  console.log(JSON.stringify(read(Buffer.from(line, 'base64'))));
});
