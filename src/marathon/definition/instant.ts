/** Instants as documents write them, and in milliseconds since the epoch. The calendar is worked out here: there is no clock in this folder. */

const TEXT = /^([+-]?\d{4,6})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?(Z|[+-]\d\d(?::?\d\d)?)$/;
const DAY = 86_400_000;
/** What a `Date` can hold, either way. */
const LIMIT = 8.64e15;

/** Days from the epoch to a day of the Gregorian calendar (Howard Hinnant's algorithm: years begin in March). */
function daysFromCivil(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  return (
    era * 146_097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719_468
  );
}

function civilFromDays(days: number): readonly [year: number, month: number, day: number] {
  const shifted = days + 719_468;
  const era = Math.floor(shifted / 146_097);
  const dayOfEra = shifted - era * 146_097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36_524) - Math.floor(dayOfEra / 146_096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const month = shiftedMonth + (shiftedMonth < 10 ? 3 : -9);
  const year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0);
  return [year, month, dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1];
}

/** `2015-09-25T15:13:48.343Z` in ms since the epoch; other offsets and finer fractions are understood too. */
export function readInstant(text: string): number | undefined {
  const found = TEXT.exec(text);
  if (found === null) return undefined;
  const [year, month, day, hour, minute, second] = found.slice(1, 7).map((part) => Number(part ?? 0)) as number[];
  const days = daysFromCivil(year!, month!, day!);
  const [, backMonth, backDay] = civilFromDays(days);
  if (backMonth !== month || backDay !== day || hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const millis = Number((found[7] ?? '').padEnd(3, '0').slice(0, 3));
  const local = days * DAY + hour! * 3_600_000 + minute! * 60_000 + second! * 1000 + millis;
  const instant = local - offset(found[8]!);
  return Math.abs(instant) > LIMIT ? undefined : instant;
}

function offset(text: string): number {
  if (text === 'Z') return 0;
  const digits = text.slice(1).replace(':', '');
  const minutes = Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2) || 0);
  return (text.startsWith('-') ? -minutes : minutes) * 60_000;
}

/** @returns UTC with milliseconds, as every answer has it */
export function writeInstant(millis: number): string {
  const whole = Math.floor(millis);
  const days = Math.floor(whole / DAY);
  const rest = whole - days * DAY;
  const [year, month, day] = civilFromDays(days);
  const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
  const years = year >= 0 && year <= 9999 ? pad(year, 4) : `${year < 0 ? '-' : '+'}${pad(Math.abs(year), 6)}`;
  const time = `${pad(Math.floor(rest / 3_600_000))}:${pad(Math.floor(rest / 60_000) % 60)}:${pad(Math.floor(rest / 1000) % 60)}`;
  return `${years}-${pad(month)}-${pad(day)}T${time}.${pad(rest % 1000, 3)}Z`;
}
