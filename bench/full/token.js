import crypto from 'crypto';

const secret = process.env.JWT_SECRET;

/** The sub of a good HS256 token that has not expired, else the empty text. */
function caller(request) {
  const header = request.headersIn.Authorization;
  if (!header || !header.startsWith('Bearer ')) {
    return '';
  }
  try {
    const part = header.slice(7).split('.');
    if (part.length != 3 || decoded(part[0]).alg != 'HS256') {
      return '';
    }
    const signature = crypto.createHmac('sha256', secret)
        .update(part[0]).update('.').update(part[1]).digest('base64url');
    if (signature != part[2]) {
      return '';
    }
    const claims = decoded(part[1]);
    return claims.exp > Date.now() / 1000 ? claims.sub : '';
  } catch (malformed) {
    return '';
  }
}

function decoded(part) {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

export default {caller};
