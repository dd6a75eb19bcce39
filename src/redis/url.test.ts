import { describe, expect, it } from 'vitest';
import { isLoopback, parseUrl, publicUrl } from './url.ts';

describe('a URL of Sentinels', () => {
  it('names them, the service, the database, and who logs in where', () => {
    const url =
      'rediss+sentinel://ops:p%40ss@s1:26380,s2,[::1]:5000/my%2Fmaster/3?sentinel_username=w&sentinel_password=a%26b';
    const settings = parseUrl(url);
    expect(settings).toMatchObject({ username: 'ops', password: 'p@ss', database: 3, tls: {} });
    expect(settings.sentinel).toEqual({
      service: 'my/master',
      nodes: [
        { host: 's1', port: 26380 },
        { host: 's2', port: 26379 },
        { host: '::1', port: 5000 },
      ],
      username: 'w',
      password: 'a&b',
    });
    expect(publicUrl(settings)).toBe('rediss+sentinel://s1:26380,s2:26379,[::1]:5000/my%2Fmaster/3');
  });

  it('asks the Sentinels without a password unless one is given for them', () => {
    const { sentinel, tls, database } = parseUrl('redis+sentinel://:secret@127.0.0.1/mymaster');
    expect({ ...sentinel, tls, database }).toEqual({
      service: 'mymaster',
      nodes: [{ host: '127.0.0.1', port: 26379 }],
      username: undefined,
      password: undefined,
      tls: undefined,
      database: 0,
    });
  });

  it('may have an @ in what comes after the service', () => {
    const { sentinel, username } = parseUrl('redis+sentinel://s1/m?sentinel_password=a@b');
    expect([sentinel?.password, sentinel?.service, username]).toEqual(['a@b', 'm', undefined]);
  });

  it('is on this machine when all of them are', () => {
    expect(isLoopback(parseUrl('redis+sentinel://127.0.0.1,localhost/m'))).toBe(true);
    expect(isLoopback(parseUrl('redis+sentinel://127.0.0.1,s2/m'))).toBe(false);
  });

  it.each([
    'redis+sentinel://127.0.0.1:26379',
    'redis+sentinel://127.0.0.1:26379/',
    'redis+sentinel:///mymaster',
    'redis+sentinel://127.0.0.1:26379,/mymaster',
    'redis+sentinel://127.0.0.1:26379/mymaster/x',
    'redis+sentinel://127.0.0.1:26379/mymaster/0/1',
    'redis+sentinel://127.0.0.1:26379/mymaster?sentinel_pasword=topsecret',
  ])('says what is wrong with %s', (url) => {
    expect(() => parseUrl(url)).toThrow(
      expect.objectContaining({ code: 'usage', message: expect.not.stringContaining('topsecret') }),
    );
  });
});
